// The one gate through which nginx's C headers enter.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
}

extern "C" ngx_module_t ngx_http_gate_module;
extern "C" ngx_module_t ngx_http_gate_filter_module;
