let s = { a.b.c = null; i = 1; }; n = "b"; in [
  (s ? a)
  (s ? a.b.c)
  (s ? a.x.c)
  (s ? i.j)
  (s ? a.${n})
  (s ? "a")
  (1 ? a)
  (!s ? zzz)
]
