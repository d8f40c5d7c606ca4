#include "tests/support/vectors.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>

namespace gate::test {

std::string vectors_dir() {
    const char* dir = std::getenv("GATE_VECTORS");
    return dir != nullptr && *dir != '\0' ? dir : "../shared/vectors";
}

Json::Json(json_t* borrowed) {
    if (borrowed != nullptr) json_.reset(json_incref(borrowed), [](json_t* j) { json_decref(j); });
}

Json Json::load(const std::string& file) {
    json_t* root = json_load_file((vectors_dir() + "/" + file).c_str(),
                                  JSON_DECODE_ANY | JSON_ALLOW_NUL, nullptr);
    Json out(root);
    json_decref(root);
    return out;
}

Json Json::parse(std::string_view text) {
    json_t* root = json_loadb(text.data(), text.size(), JSON_DECODE_ANY | JSON_ALLOW_NUL, nullptr);
    Json out(root);
    json_decref(root);
    return out;
}

std::size_t Json::size() const {
    return json_is_array(json_.get()) ? json_array_size(json_.get())
                                      : json_object_size(json_.get());
}

Json Json::operator[](std::size_t index) const {
    return Json(json_array_get(json_.get(), index));
}

Json Json::operator[](const char* name) const {
    return Json(json_object_get(json_.get(), name));
}

std::string Json::text() const {
    if (!json_is_string(json_.get())) return "";
    return {json_string_value(json_.get()), json_string_length(json_.get())};
}

long long Json::number() const {
    return json_integer_value(json_.get());
}

std::string Json::dump() const {
    char* text = json_dumps(json_.get(), JSON_COMPACT | JSON_ENCODE_ANY);
    std::string out(text != nullptr ? text : "");
    std::free(text);
    return out;
}

Json Json::without(const char* name) const {
    json_t* copy = json_copy(json_.get());
    json_object_del(copy, name);
    Json out(copy);
    json_decref(copy);
    return out;
}

VectorCount::~VectorCount() {
    std::printf("vectors: %s ran %zu of %zu", file_.c_str(), ran_, held_);
    if (skipped_ != 0) std::printf(" (%zu skipped: %s)", skipped_, why_.c_str());
    std::printf("\n");
}

void VectorCount::skipped(const std::string& why) {
    ++skipped_;
    why_ = why;
}

ByteVector from_base64(std::string_view text) {
    ByteVector out(text.size() / 4 * 3 + 3);
    const int size =
        EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size()));
    if (size < 0) return {};
    std::size_t padding = 0;
    while (padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

}  // namespace gate::test
