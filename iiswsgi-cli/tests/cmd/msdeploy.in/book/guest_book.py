greeting, secret = "@GREETING@", "@SECRET@"
