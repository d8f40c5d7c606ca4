// Key pairs of the fuzz targets, mutation tests and benchmarks. They were made for this and guard
// nothing.
#pragma once

#include <string_view>

namespace gate::test {

// clang-format off
inline constexpr std::string_view kRsaJwk =
    R"({"kty":"RSA","kid":"rsa")"
    R"(,"n":"woSZQQDO-qtWLfG8c_kizzjG9z7lw26HZPkTq3XR_7hm_JxPXuLYbL-x1-NXbEAfdjIqGOD77GK6F4)"
    R"(SIqW1oQdvXKMT2NPW6_1zWf33u0cOO4HyxWkrCza4XTWKt_izBkQQiAu4H3gj9h3TGxjLZfTWwMCTYQdZSlW)"
    R"(qxlvs-CQApm0LLZ4AmD73mmTQVeP3i_ZU9wpOptK1qOErKU0YfzWNVqAYJ7MVOe-frgTePp1gB0O5RwxhCpj)"
    R"(oM99F5CwgWkz-9z6DPBTDQDemDvqI_Uz-B6ihXL_PqocHK4yr4Y-fT4uBxO_2Vnbj9g8ytCwdsxvs1jRFGxw)"
    R"(91Euk2oNETrQ")"
    R"(,"e":"AQAB")"
    R"(,"d":"hqbWAjvD51SPZfVxI7JlCukL9xuA8dqjup2MyVtGFdF-nc1NbXQIghrDOHhejDWOJDGVqX6nLulyDU)"
    R"(NWMoUKAkP1v56Y0MdKK1crJPGsu_YjutTfp2qHAbXdIn3Rhn1QXNu2ZnVf_NPOrSzybK7rKGZdWdHedEcfmr)"
    R"(zle7DdwKU5Ku2r_Cas7-kS8uSv2hWNa2cx3suJH2wG045uy8n0yMf6R0_9uOJh9EsKiQnn6J8pqbAzNHpCsy)"
    R"(qnIbhmiaYQfNRtWmcvYeGHOXHLz7qz0tBZdki367zlluyqZUtH80NpwPxL0Wg8u2RwedsKlEEneN25g8Q9XG)"
    R"(3ibcBlz6PT")"
    R"(,"p":"6ZxKoL3px7HmUUBVBF18-RGXPeM6y8nHUHganaZE9VFHLkHHR3tlxugTU3Go-dwZxmnD2IyaefiHg2)"
    R"(PaYwu8H3RqtgDItxQuuK4oKOeTFmhvC37IkvtK7Ge8mOUWhhF7ZSPVoIs9KMwekX10cwQRY-9Xx7xHiOH_fs)"
    R"(eEbKMiYLc")"
    R"(,"q":"1SkosE7Vsr86G7CgCBXz5WBYU60CBLr6ulv6w29KKmEK2nDd5Iv34mgIZik82FIQn-fy2VQOFc9w0M)"
    R"(HBfJo1UtxT94zYWQ0VAAFhkfvBi5aXqvRQIZnX_7bSXp8bAFz8x0DkJu07wOtQtRAiPH6j31gtNIOecxu2Wm)"
    R"(HLZgSlArs")"
    R"(,"dp":"dJbwF_Ewb921mO-Gfrs52ASTeuuhOHvn4Z1Pi0akO9ror4lcr6xCS1cf7hFXx_u1UXUPrU_e-Oi0m)"
    R"(TqIj84XgYtUhqk1g0mrV7hzipaorhJI-W-5IsIPzpSnZ5dN-nNXJk8QGyPizi2xQ-Nc7tok479cC-9HtGU2Y)"
    R"(kupJ57zVVk")"
    R"(,"dq":"KEapoH6U1Dxbn2XFJyH2vo1wwwa6jehCfbnpbMn3aoCBi3quAoQL52SeyabbD0iaSYyLD1NZgfd7K)"
    R"(oahp4h_sNNerjSXoGPfZuvb4rh9_oEK0UtuZJrr_C4wG57WfEAVpxR0x4IluzL7Qer1fRa0ofvINtbztm4zC)"
    R"(2rVAsa34wc")"
    R"(,"qi":"ejabPjfYeWbCG2oktmh-5YbwCKj1N9k9Xzg8r0yH133tfs2KR0P5vHwxzI7aIq45fWWOBtf2ekUd2)"
    R"(I16XGrwJbjNCTTVTdU0urdSlEZdhChCUtNO73oeehMSy9fq_rGCuwWKT1ssAXpM3KQDS_q2jwnhCn6QCwrMN)"
    R"(wEyXW01gS8")"
    R"(})";

inline constexpr std::string_view kEcJwk =
    R"({"kty":"EC","crv":"P-256","kid":"ec")"
    R"(,"x":"RDEntFyRVYNrbzE5Tspm5sVdFmEllsdddTZKvt8QhbA")"
    R"(,"y":"ts4VQZOPOPsps37gmGIhOEs7VUt505V740xM1vbLg-I")"
    R"(,"d":"-WtwS8BjpF7gPrPo4kQLqdMlMjTpoykBZhP3K7BFrKg")"
    R"(})";

inline constexpr std::string_view kEdJwk =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ed")"
    R"(,"x":"ZIfqcbTbHG8mTg01Q6J-DTePzVaRCoCDEE76Dsueoqk")"
    R"(,"d":"DtkjRJ5LBnTefwNZQ4GKoIRQ7kTI5EY6nCkUN96Fm6I")"
    R"(})";

inline constexpr std::string_view kOctJwk =
    R"({"kty":"oct","kid":"oct")"
    R"(,"k":"zsVrrs2MWAjtXBuoZMG6hF-PktNjqdGIB5yGGcQ6eTH2Qj7JjjxnTgUmPEvgt2_O7Ta6DwJwWILCka)"
    R"(SZo2v08w")"
    R"(})";

// Public keys of strangers under the same kids.
inline constexpr std::string_view kStrangerJwks =
    R"({"keys":[{"kty":"RSA","kid":"rsa","e":"AQAB","n":"00Kacvkh_idflntAbuagBl2d9GNRETYvgD)"
    R"(ik9a4ZAY7JAhT7mqkxoBVy_MWJ8JLCFTgBIeZG8CC4GatscopFL1X-ezrmms4PqvMLFuKA0OtppYQLx4GLGj)"
    R"(WTpwJ0R_0Y4NSW4mvl4q749rvuJpGVLkK3ZVf2AS06fhuF93GOcUscJpVY_7XNvNp4YC1HVjNK3bgoX-D7e3)"
    R"(RUUnuwjoJKJOnGRu5iymMt-mRZO5AsG_EW11CsuEUQzMIZESQt1cigCRhtg147-VnivPLQrmM_lmOjrVDEae)"
    R"(o_ag1dCrNbntR_l96h5ivo1TkWODyjXySVTsCfViM3xyH1NTp68EyAZw"},{"kty":"EC","crv":"P-256")"
    R"(,"kid":"ec","x":"2W-XONmeS7GbFOhL3EkTjRWwO33mT68ffAu1pKCNY_A","y":"gmKdHVbil_HDCVdSB)"
    R"(xcRFWA88f00sO0OepyzC-zsPFg"},{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"AIpXcqBjgt)"
    R"(lJKc41iOdqEjnf0SiJRea1ix8AmwvLfvw"}]})";
// clang-format on

}  // namespace gate::test
