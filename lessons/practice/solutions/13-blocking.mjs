setOption(other, 'SO_RCVTIMEO', timeval.fromMilliseconds(100));
