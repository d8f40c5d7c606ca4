#include "base/time.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gate {

namespace {

constexpr Seconds kDay = 86400;
constexpr Seconds kYear = 365 * kDay;
constexpr Seconds kMaxDuration = 100 * kYear;

struct Date {
    std::int64_t year;
    int month;
    int day;
};

// Proleptic Gregorian calendar, counted in years that begin in March so that the leap day comes
// last; an era is 400 years or 146097 days. 719468 days lie between 0000-03-01 and 1970-01-01.
std::int64_t days_since_epoch(const Date& date) noexcept {
    const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t march_month = (date.month + 9) % 12;
    const std::int64_t day_of_year = (153 * march_month + 2) / 5 + date.day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

Date date_of(std::int64_t days) noexcept {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const std::int64_t day_of_era = days - era * 146097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t march_month = (5 * day_of_year + 2) / 153;
    const int day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
    const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

// All of `digits` as a decimal number, or -1.
int decimal(std::string_view digits) noexcept {
    int value = 0;
    for (char c : digits) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

int days_in_month(int year, int month) noexcept {
    constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

Seconds unit_of(char suffix) noexcept {
    switch (suffix) {
        case 's':
            return 1;
        case 'm':
            return 60;
        case 'h':
            return 3600;
        case 'd':
            return kDay;
        case 'w':
            return 7 * kDay;
        case 'M':
            return 30 * kDay;
        case 'y':
            return kYear;
        default:
            return 0;
    }
}

}  // namespace

std::string rfc3339(Seconds when) {
    const Seconds first = days_since_epoch({0, 1, 1}) * kDay;
    const Seconds last = days_since_epoch({10000, 1, 1}) * kDay - 1;
    when = std::clamp(when, first, last);
    std::int64_t days = when / kDay;
    std::int64_t rest = when % kDay;
    if (rest < 0) {
        rest += kDay;
        --days;
    }
    const Date date = date_of(days);
    std::array<char, 80> text;
    const int length = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ",
                                     static_cast<int>(date.year), date.month, date.day,
                                     static_cast<int>(rest / 3600),
                                     static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
    return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<Seconds> parse_rfc3339(std::string_view text) {
    // 2026-11-22T13:49:17Z
    if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
        text[13] != ':' || text[16] != ':' || text[19] != 'Z') {
        return std::nullopt;
    }
    const int year = decimal(text.substr(0, 4));
    const int month = decimal(text.substr(5, 2));
    const int day = decimal(text.substr(8, 2));
    const int hour = decimal(text.substr(11, 2));
    const int minute = decimal(text.substr(14, 2));
    const int second = decimal(text.substr(17, 2));
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
        return std::nullopt;
    }
    return days_since_epoch({year, month, day}) * kDay + hour * 3600 + minute * 60 + second;
}

std::optional<Seconds> parse_duration(std::string_view text) {
    Seconds unit = 1;
    if (!text.empty()) {
        if (const Seconds named = unit_of(text.back()); named != 0) {
            unit = named;
            text.remove_suffix(1);
        }
    }
    if (text.empty()) return std::nullopt;
    Seconds count = 0;
    for (char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        count = count * 10 + (c - '0');
        if (count > kMaxDuration) return std::nullopt;
    }
    if (count > kMaxDuration / unit) return std::nullopt;
    return count * unit;
}

}  // namespace gate
