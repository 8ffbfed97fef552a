# The position of the token itself.
{ inherit (__curPos) line column; }
