'\0practice';
