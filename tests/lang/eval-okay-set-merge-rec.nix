# Literal sets that are given in two parts are one set; the first part decides about `rec`.
{
  a = rec { x = 1; y = x; };
  a.z = 3;
}
