#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/json.h"

namespace mutirao {

/// Check the shape of a document against a JSON Schema (draft 7), with messages for people and a did-you-mean for keys.
///
/// Understands what our schemas use: $ref into "#/definitions", type, enum, properties, required,
/// additionalProperties, items, minItems, minimum, exclusiveMinimum, maximum, minLength, pattern, anyOf. A schema with
/// "x-opaque": true is not looked into: somebody else checks that part. One with "x-variables": true takes any text
/// with
/// "${", which is checked when it has been replaced. "x-expects" says in words what a value that
/// does not fit should have been; "title" names a mapping in messages ("unknown key "x" in an op").
///
/// `root` is the schema document that $ref points into. Faults are added to `errors` below `pointer`.
void CheckShape(const Json& value, const Json& schema, const Json& root, const std::string& pointer,
                Diagnostics& errors);

/// What a value is, in words: "text", "a whole number", "a list".
std::string DescribeJsonType(const Json& value);

}  // namespace mutirao
