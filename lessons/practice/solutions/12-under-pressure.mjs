while (answer >= 0) {
  answer = raw.send(one, block, MSG_DONTWAIT);
  if (answer > 0) sent += answer;
}
