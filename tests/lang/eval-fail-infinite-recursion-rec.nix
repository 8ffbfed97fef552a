rec { x = x + 1; }
