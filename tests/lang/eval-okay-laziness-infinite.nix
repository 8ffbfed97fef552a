let nats = n: [ n ] ++ nats (n + 1); ones = { head = 1; tail = ones; }; in ones.tail.tail.tail.head
