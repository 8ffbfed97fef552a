{
  a.b.c = 1;
  a = { b.d = 2; e = 3; };
  a.b.f.g = 4;
}
