# Defaults see the other arguments and the name of the whole.
({ a ? b + 1, b ? 10, c ? whole.x, ... }@whole: [ a b c ]) { x = "whole"; }
