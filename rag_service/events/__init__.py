"""What happened: noted in the transaction of the change, told by feed and by webhook."""
