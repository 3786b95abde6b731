Reactor.default.add(other, EPOLLIN, onReady);
