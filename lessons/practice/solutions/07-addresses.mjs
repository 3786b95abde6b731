'\0practice'
