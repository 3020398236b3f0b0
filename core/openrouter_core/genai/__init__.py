"""What telemetry tells of a call, as values; the shell hands them to OpenTelemetry."""
