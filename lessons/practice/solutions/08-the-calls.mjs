let length;
  try {
    length = recv(other, bytes, MSG_DONTWAIT);
  } catch ({ code }) {
    if (code === 'EAGAIN') return 'not yet';
  }
  if (length === 0) return 'end';
