# SPDX-License-Identifier: Apache-2.0
# strip.awk - C source with comments, and what stands in quotes, blanked out; the line numbers stay.
function strip(line, out, i, c, two)
{
    out = ""
    i = 1
    while (i <= length(line)) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (inside) {
            if (two == "*/") {
                inside = 0
                i++
            }
        } else if (two == "/*") {
            inside = 1
            i++
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            out = out c c
            for (i++; i <= length(line) && substr(line, i, 1) != c; i++)
                if (substr(line, i, 1) == "\\")
                    i++
        } else {
            out = out c
        }
        i++
    }
    return out
}
{ print strip($0) }
