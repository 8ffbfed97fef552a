throw "left" > throw "right"
