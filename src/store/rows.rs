//! Reading rows of either backend into the domain's types.
