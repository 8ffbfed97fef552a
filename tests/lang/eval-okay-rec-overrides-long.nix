# In a long file, what may never run is compiled when it does; the hook is not such a piece.
rec {
  a = 1;
  inner = { b = a; };
  __overrides = builtins.mapAttrs (name: value: { inherit name; more = let twice = value * 2; in twice; }) {
    y = inner.b;
  };
}
// {
  __overrides = null;
  text0 = "Much of this file is text, so that it is long.";
  text1 = "Much of this file is text, so that it is long.";
  text2 = "Much of this file is text, so that it is long.";
  text3 = "Much of this file is text, so that it is long.";
  text4 = "Much of this file is text, so that it is long.";
  text5 = "Much of this file is text, so that it is long.";
  text6 = "Much of this file is text, so that it is long.";
  text7 = "Much of this file is text, so that it is long.";
  text8 = "Much of this file is text, so that it is long.";
  text9 = "Much of this file is text, so that it is long.";
  text10 = "Much of this file is text, so that it is long.";
  text11 = "Much of this file is text, so that it is long.";
  text12 = "Much of this file is text, so that it is long.";
  text13 = "Much of this file is text, so that it is long.";
  text14 = "Much of this file is text, so that it is long.";
  text15 = "Much of this file is text, so that it is long.";
  text16 = "Much of this file is text, so that it is long.";
  text17 = "Much of this file is text, so that it is long.";
  text18 = "Much of this file is text, so that it is long.";
  text19 = "Much of this file is text, so that it is long.";
}
