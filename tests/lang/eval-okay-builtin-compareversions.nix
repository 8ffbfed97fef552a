with builtins; [
  (compareVersions "1.0" "1.0") (compareVersions "1.0" "1.1") (compareVersions "1.10" "1.9") (compareVersions "1.0pre1" "1.0")
  (compareVersions "1.0" "1.0a") (compareVersions "1" "1.0") (compareVersions "a" "1") (compareVersions "2.3-1" "2.3.1") (compareVersions "" "")
  (compareVersions "007" "7")
]
