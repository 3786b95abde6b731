poll(new PollFds(1).set(0, other, POLLIN), 5000);
