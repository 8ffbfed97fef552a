[
  (true && false)
  (false || true)
  (!true)
  (true -> false)
  (false -> throw "not asked")
  (false && throw "not asked")
  (true || throw "not asked")
  (false -> false -> false)
]
