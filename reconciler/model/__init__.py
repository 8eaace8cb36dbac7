"""Plain frozen data that every stage passes to the next; standard library only."""
