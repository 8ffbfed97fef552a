[ ] // throw "right"
