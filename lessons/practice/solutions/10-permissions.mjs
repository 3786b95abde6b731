chmodSync(path, 0o600);
