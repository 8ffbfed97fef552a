[ (builtins.warn "mind the gap" 1) ]
