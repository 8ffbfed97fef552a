let s = { a.b = 1; i = 5; }; in [
  (s.a.b or 0)
  (s.a.x or 0)
  (s.x.y.z or 0)
  (s.i.j or 0)
  (s.a.x or s.a.y or "last")
  (s.a.b or (throw "not needed"))
]
