# Unquoted URIs are strings.
[ https://example.org/a?b=c&d=e ftp:x x:x ]
