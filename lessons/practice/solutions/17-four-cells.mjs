fcntl(other, F_SETFL, fcntl(other, F_GETFL) | O_NONBLOCK);
