"""What the marketing service counts beyond the kernel's metrics."""
