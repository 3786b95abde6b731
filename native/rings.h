// The io_urings of an environment.
#pragma once

#include "environment.h"

// Closes those that are still open.
void CloseRings(Environment* environment);
