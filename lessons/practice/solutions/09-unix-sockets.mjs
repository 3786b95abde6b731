sendFds(one, [writer]);
