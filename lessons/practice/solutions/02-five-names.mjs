port = getpeername(connection).port;
