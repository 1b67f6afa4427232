// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace CLI {
class App;
class Error;
class ParseError;
}  // namespace CLI

namespace nas::cli {

/// Prints help (exit 0) or one sentence about the flag that was not understood, with the nearest known one (exit 2).
int ReportParseError(const CLI::App& app, const CLI::ParseError& error);

/// That sentence, for flags that are only checked.
std::string ParseErrorSentence(const CLI::App& app, const CLI::ParseError& error);

/// One sentence on stderr; returns the exit code of the contract. With `debug` also what the library said in full.
int ReportException(const std::exception& error, bool debug);

}  // namespace nas::cli
