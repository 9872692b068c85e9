"""What the ticketing service counts beyond the kernel's metrics."""
