shutdown(client, SHUT_WR);
