send(fd, Buffer.from('GET /hello HTTP/1.0\r\n\r\n'));
