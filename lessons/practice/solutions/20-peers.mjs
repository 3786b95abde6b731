while (inbox.length >= 4 && inbox.length >= inbox.readUInt32BE()) {
  const length = inbox.readUInt32BE();
  texts.push(inbox.toString('utf8', 4, length));
  inbox = inbox.subarray(length);
}
