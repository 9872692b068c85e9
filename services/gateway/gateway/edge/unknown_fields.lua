-- Refuses a JSON body with a field that its method does not know. The transcoder would leave such a field
-- out without a word, and `email` where `emails` is meant would be lost.
--
-- What the protos know is written in front of this file:
--   ADDRESSES[verb] is a tree of an address's parts, "*" for a variable; at an end stands, under ":" and the
--                   custom verb, the type of the body
--   TYPES[type]     gives each field its type; "*" is any name
--   REFUSALS        the answers, with {field} where the field's path belongs
-- The type 0 has no fields to look at.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub
local QUOTE, OPEN_OBJECT, OPEN_LIST = 34, 123, 91
local DEEPEST = 64
local MALFORMED = false

-- Position after the string whose first character is at `at`; nil when it does not end.
local function after_string(text, at)
  while true do
    local stop = find(text, '["\\]', at)
    if not stop then return nil end
    if byte(text, stop) == QUOTE then return stop + 1 end
    at = stop + 2
  end
end

-- A field's name and the position of its value; nil when there is none.
local function key(text, at)
  local name, next = match(text, '^%s*"([^"\\]*)"%s*:%s*()', at)
  if name then return name, next end
  local first = match(text, '^%s*"()', at)
  local stop = first and after_string(text, first)
  next = stop and match(text, "^%s*:%s*()", stop)
  return next and sub(text, first, stop - 2), next
end

local value

-- What follows look at the part that begins at `at`. They return the position after it; or nil and the path of
-- an unknown field; or nil and MALFORMED.
local function object(text, at, kind, depth)
  local fields = TYPES[kind]
  local stop = match(text, "^%s*}()", at)
  if stop then return stop end
  while true do
    local name, next = key(text, at)
    if not name then return nil, MALFORMED end
    local inner = 0
    if fields then
      inner = fields[name] or fields["*"]
      if not inner then return nil, name end
    end
    local unknown
    next, unknown = value(text, next, inner, depth)
    if not next then return nil, unknown and name .. "." .. unknown end
    local mark
    mark, at = match(text, "^%s*([,}])()", next)
    if not mark then return nil, MALFORMED end
    if mark == "}" then return at end
  end
end

local function list(text, at, kind, depth)
  local stop = match(text, "^%s*]()", at)
  if stop then return stop end
  while true do
    local next, unknown = value(text, match(text, "^%s*()", at), kind, depth)
    if not next then return nil, unknown end
    local mark
    mark, at = match(text, "^%s*([],])()", next)
    if not mark then return nil, MALFORMED end
    if mark == "]" then return at end
  end
end

function value(text, at, kind, depth)
  local first = byte(text, at)
  if first == QUOTE then
    local stop = after_string(text, at + 1)
    return stop, MALFORMED
  elseif first == OPEN_OBJECT or first == OPEN_LIST then
    if depth == DEEPEST then return nil, MALFORMED end
    return (first == OPEN_OBJECT and object or list)(text, at + 1, kind, depth + 1)
  end
  return match(text, "^[%w.+-]+()", at), MALFORMED
end

-- The type of the body that a method at this address takes; nil when there is no such method.
local function body_type(verb, path)
  local part = ADDRESSES[verb]
  local address, custom = match(path, "^([^?:]*):?([^?]*)")
  for name in string.gmatch(address, "[^/]+") do
    part = part and (part[name] or part["*"])
  end
  return part and part[":" .. custom]
end

-- What may stand in a string of JSON: escaped characters stay so.
local function shown(name)
  name = string.gsub(sub(name, 1, 100), "%c", "?")
  name = string.gsub(name, "\\(u%x%x%x%x)", "\1%1")
  name = string.gsub(name, '["\\]', "?")
  return (string.gsub(name, "\1", "\\"))
end

local function refuse(handle, refusal)
  handle:respond({ [":status"] = "400", ["content-type"] = "application/json" }, refusal)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local kind = body_type(headers:get(":method"), headers:get(":path"))
  local body = kind and handle:body()
  if not body or body:length() == 0 then return end
  local text = body:getBytes(0, body:length())
  local stop, unknown = value(text, match(text, "^%s*()"), kind, 0)
  if not stop and unknown then
    local name = shown(unknown)
    refuse(handle, (string.gsub(REFUSALS.unknown_field, "{field}", function() return name end)))
  elseif not stop or not find(text, "^%s*$", stop) then
    refuse(handle, REFUSALS.malformed)
  end
end
