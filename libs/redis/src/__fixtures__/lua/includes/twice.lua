local function twice(text)
  return text .. text
end
