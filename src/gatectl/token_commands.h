// The runs of `gatectl token`, one file each.
#pragma once

#include "gatectl/command.h"

namespace gate::ctl {

int run_token_sign(const Arguments& arguments, Io& io);
int run_token_inspect(const Arguments& arguments, Io& io);
int run_token_verify(const Arguments& arguments, Io& io);

}  // namespace gate::ctl
