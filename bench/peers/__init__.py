"""What users would pick instead, measured beside ours on the same sandbox: see README.md."""
