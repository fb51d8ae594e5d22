"""What all workers share about an account: its pace, its lists, whose it is, and who fills which list."""
