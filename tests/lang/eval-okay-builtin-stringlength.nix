# In bytes.
map builtins.stringLength [ "" "abc" "é" "日本" "a\nb" ]
