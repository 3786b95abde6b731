fcntl(other, F_SETOWN, process.pid);
fcntl(other, F_SETFL, fcntl(other, F_GETFL) | O_ASYNC);
