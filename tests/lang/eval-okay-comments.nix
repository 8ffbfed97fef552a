# a line
/* a block
   of lines */
[ 1 /* between */ 2 # after
  /**/ 3 /* ** * / */ 4 ]
