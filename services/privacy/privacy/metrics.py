"""What the privacy service counts beyond the kernel's metrics."""
