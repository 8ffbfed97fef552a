scopedImport [ ] ./lib
