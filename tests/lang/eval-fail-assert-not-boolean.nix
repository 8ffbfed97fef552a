assert null; 1
