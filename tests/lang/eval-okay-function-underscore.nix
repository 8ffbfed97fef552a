# `_` is a name like others.
(_: _ + 1) 1
