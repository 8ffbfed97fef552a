[ ''on the first line'' ''  two blanks stay away
  from here'' '''' ''
'' ]
