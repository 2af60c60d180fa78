package bunzip

import (
	"bytes"
	"compress/bzip2"
	"encoding/base64"
	"errors"
	"io"
	"testing"
)

// streams are what Python's bz2 makes of some bytes.
var streams = map[string]string{
	"blocks": "QlpoMTFBWSZTWeSVCPMAAMN/////////////////////////////////////////////0AX96pVVSqqkAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE1VVQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSqqgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/6KpxmAiqYEKpgYqmCCqYKAsGqCweoLCKgsJqCwqoLCxVMMFUw0VTDhVMPFUxAQsRqCxKoLE6gsUqCxWoLFhVMXFUxgVTGRVMaFUxsVTHBVMdFUx4VTHxVMgFUyFQWRVBZHUFklQWS1BZNUJk4qmUCqZSKplQqmViqZYQWW1BZdUFl9QWYVBZjUDMhVMzFUzQVTNRVM2FUzcBZxUFnNQWdVBZ3UFnlQWeiqZ8Kpn4qmgCqaCKpoQhaHUFolQWi1BaNUFo9QWkCqaSKppQqmliqaYKppoqmnCqaeKpqAqmoiqakKpqagtUqC1WoLVqgtXqC1ioTWRVNaFU1sVTXBVNdFU14gtfqC2CoLYagtiqC2OoGyCqbKKpswqmziqbQKptIC2qoLa6gtsqC22oLbqgtvFU3AVTcRVNyFU3MVTdBC3WoLdqgt3qC3ioLeagt6FU3sVTfBVN9FU34VTfxVOAFU4EVTghVODFU4QVThVBcNUFw9QXEVBcTUFxVQXF1BcZUFxaguNUFxyguPUFyCguRUFySguTUFyiguVUFyyguXUFzCguZUFzSgubUFzigudUFzygufUF0CguhUF0SgujUF0igulUF0ygunUF1CgupUF1SgurUF1igutUF1yguvUF2CguxUF2SguzUF2igu1UF2ygu3UF3Cgu5UF3Sgu7UF3igu9UF3ygu/UF4CgvBUF4SgvDUF4igvFUF4ygvHUF5CgvJUF5SgvLUF5igvNUF5ygvPUF6CgvRUF6SgvTUF6igvVUF6ygvXUF7CgvZUF7SgvbUF7igvdUF7ygvfUF8CgvhUF8SgvjUF8igvlUF8ygvnUF9CgvpUF9SgvrUF9igvtUF9ygvvUF+CgvxUF+SgvzUF+igv1UF+ygv3UF/Cgv5UF/Sgv7UF/igv9UF/ygv/MUFZJlNZ/9go1ABrdH/////////////////////////////////////////////QBf3pAAABVSqqlVJMABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABJgAJgACYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJMABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAATVVVAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFKqqAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/hVMAFUwEVTAhVMDFUwQQsFqCwaoLB6gsIqCwmoLChVMLFUwwVTDRVMOFUw8VTEBVMRFUxIVTExVMUFUxVQWLVBYvUFjFQWMqCxpQWNqCxxQWOqCx5QWPqCyBQWQqCyJQWRqCyRQWSqCyZQWTqCyhQWUqCypQWVqCyxQWWqCy5QWXqCzBQWYqCzJQWZqCzRQWaqCzZQWbqCzhQWcqCzpQWdqCzxQWeqCz5QWfqC0BQWgqC0JQWhqC0RQWiqC0ZQWjqC0hQWkqC0pQWlqC0xQWmqC05QWnqC1BQWoqC1JQWpqC1RQWqqC1ZQWrqC1hQWsqC1pQWtqC1xQWuqC15QWvqC2BQWwqC2JQWxqC2RQWyqC2ZQWzqC2hQW0qC2pQW1qC2xQW2qC25QW3qC3BQW4qC3JQW5qC3RQW6qC3ZQW7qC3hQW8qC3pQW9qC3xQW+qC35QW/qC4BQXAqC4JQXBqC4RQXCqC4ZQXDqC4hQXEqC4pQXFqC3HjFBcbUFx1QXH1BchUFyNQXJVBcnUFylQOVFU5YVTlxVOYFU5kVTmgFzdQXOVBc7UFz1QXP1BdAKp0IqnRCqdGKp0gqnSiF01QXT1BdRUF1NQXVVBdWKp1gqnWiqdcKp14qnYCqdiKp2QqnZiqdoKp2oqnbKC7eoLuKgu5qC7qoLu6hO8FU70VTvhVO/FU8AVTwSC8KoLw6gvEqC8WoLxqgeOKp5AqnkiqeUKp5YqnmALzagvOqC8+oL0KgvRqC9IVT0xVPUFU9UVT1hVPXEL2KgvZqC9qoL26gvcqC90VT3hVPfFU+AVT4RVPiFU+MVT5BVPlFU+YVT5xVPoUF9NQX1VBfXUF9lQX21CfcKp94qn4CqfiKp+Qqn5kF+lQX61BftUF+9QX8VA/kVT+hVP7FU/wVT/RVP+AX/mKCskymspollbQAKSL/////////////////////////////////////////////oAv8HqqqVVUqqgAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAmqqqAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKVVUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAH/KCwBQWAqCwJQWBqCwRQWCqCwZQWDqCwhQWEqCwpQWFqCwxQWGqCw5QWHqCxBQWIqCxJQWJqCxRQWKqCxZQWLqCxhQWMqC6bG6imOCqY6KpjwqmPiqZAKpkKgsiqCyOoLJKgslqCyaoTJxVMoFUykVTKhVMrFUywgstqCy6oLL6gswqCzGoGZCqZmKpmgqmaiqZsKpm4CzioLOags6qCzuoLPKgs9FUz4VTPxVNAFU0EVTQhC0OoLRKgtFqC0aoLR6gtIFU0kVTShVNLFU0wVTTRVNOFU08VTUBVNRFU1IVTU1BapUFqtQWrVBavUFrFQmsiqa0KprYqmuCqa6KprxBa/UFsFQWw1BbFUFsdQNkFU2UVTZhVNnFU2gVTaQFtVQW11BbZUFttQW3VBbeKpuAqm4iqbkKpuYqm6CFutQW7VBbvUFvFQW81Bb0KpvYqm+Cqb6Kpvwqm/iqcAKpwIqnBCqcGKpwgqnCqC4aoLh6guIqC4moLiqhOLFU4wVTjRVOOFU48VTkCC5GoLkqguTqC5SoLlagcsKpy4qnMCqcyKpzQqnNgLnKgudqC56oLn6gugqC6EVTohVOjFU6QVTpRVOmELi1BdOoLqFBdSoLqlBdWoLrFBdaoLrlBdeoLsFBdioLslBdmoLtFBdqoLtlBduoLuFBdyoLulBd2oLvFBd6oLvlBd+oLwFBeCoLwlBeGoLxFBeKoLxlBeOoLyFBeSoLylBeWoLzFBeaoLzlBeeoL0FBeioL0lBemoL1FBeqoL1lBeuoL2FBeyoL2lBe2oL3FBe6oL3lBe+oL4FBfCoL4lBfGoL5FBfKoL5lBfOoL6FBfSoL6lBfWoL7FBfaoL7lBfeoL8FBfioL8lBfmoL9FBfqoL9lBfuoL+FBfyoL+lBf2oL/FBf6oL/lBf+YoKyTKayuCJxaAASRP////////////////////////////////////////////+gBrgAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE1VVQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJMABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/qMAowGjAqMDowSjBaMGowejCKMJowqjC6MMow2jDqMPoxCjEaMSoxOjFKMVoxajF6MYoxmjGqMboxyjHaMeox+jIKMhoyKjI6MkoyWjJqMnoyijKaMqoyujLKMtoy6jL6MwozGjMqMzozSjNaM2ozejOKM5ozqjO6M8oz2jPqM/o0CjQaNCo0OjRKNFo0ajR6NIo0mjSqNLo0yjTaNOo0+jUKNRo1KjU6NUo1WjVqNXo1ijWaNao1ujXKNdo16jX6Ngo2GjYqNjo2SjZaNmo2ejaKNpo2qja6Nso22jbqNvo3CjcaNyo3OjdKN1o3ajd6N4o3mjeqN7o3yjfaN+o3+jgKOBo4Kjg6OEo4WjhqOHo4ijiaOKo4ujjKONo46jj6OQo5GjkqOTo5SjlaOWo5ejmKOZo5qjm6Oco52jnqOfo6CjoaOio6OjpKOlo6XpqOnR1COpR1SOrR1iOtR1yOvR2COxR2SOzR2iO1R2yO3R3CO5R3SO7R3iO9R3yO/R4CPBR4SPDR4iPFR4yPHR5CPJR5SPLR5iPNR5yPPR6CPRR6SPTR6iPVR6yPXR7CPZR7SPbR7iPdR7yPfR8CPhR8SPjR8iPlR8yPnR9CPpR9SPrR9iPtR9yPvR+CPxR+SPzR+iP1R+yP3R/CP5R/SP7R/iP9R/yP/F3JFOFCQHfxJzAA==",
	"empty":  "QlpoORdyRThQkAAAAAA=",
	"hello":  "QlpoOTFBWSZTWZxFPtMAAAORAEAEAkSgACEiMDAGUifkVFhdyRThQkJxFPtM",
	"zeros":  "QlpoMTFBWSZTWd9HTW8AAkxAgMAABAAACCAAMMwFKaYURsRRHi7kinChIb6Omt4=",
	"runs":   "QlpoOTFBWSZTWShtJZQAAAZ/////////////////////////////////////////////0AOcAOAAGkmmJiYAIwTJkYmAmTTAmTJhGmAmAIwAmQMAIxGEaYmmjRgJpgAAAABNGJgAE00DTBMRpkxMI03/qqJMABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABT//1VVAH//qqqH//qqqAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0AAAAAAADSnjVVTzfqn6pUyNGQMRoZPUNAGIwE000BpoNNDAgAYmQNGAmQNAxGmjTCAADBGgGgAYRoaGg0GEDQ00BkMEmAAmAAJgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB/1AocsHegVj1TB6oLQjVa1aFQoDUlqglBpMHhasI5pMDTWkEcwwMrARzTYGosBHMsDs6wEcywNaWAjmWBrawEcywO0LARzLA7SsBHMsDXFgI5lgdqWAjmWB2tYCOZYGurARzLA15YCOZYHbFgI5lgdtWAjmWB25YCOZYHb1gI5lgdwWAjmWBr6wEcywNgWAjmWBsKwEcywO4rARzLA7ksBHMsDYlgI5lgdzWAjmWB3RYCOZYHdVgI5lgbGsBHMsDZFgI5lgd2WAjmWBrFgI5lgaxYCOZYHd1gI5lgd4WAjmWB3laICOZYWWiAjPLDeqICM8sN7ophGeWG+USjb7TSpv1NKm/wlTgKSTwNJKlmpJZulnCWcpZ0lnaWeJZ6lnyWfpaAloKWhJaGloiWipaMlo6WkJaSlpSWlpaYlpqWnJaelqCWopaklqaWqJaqlqyWrpawlrKWtJa2lriWupa8lr6WwJbClsSWxpbIlsqWzJbOltCW0pbUltaW2JbaltyW3pbgluKW5JbmluiW6pbslu6W8JbylvSW9pb4lvqW/Jb+lwCXApcElwaXCJcKlwyXDpcQlxKXFJcWlxiXGpcclx6XIJcilySXJpcolyqXLJculzCXMpc0lzaXOJc6lzyXPpdAl0KXRJdGl0iXSpdMl06XUJdSl1SXVpdYl1qXXJdel2CXYpdkl2aXaJdql2yXbpdwl3KXdJd2l3iXepd8l36XgJeCl4SXhpeIl4qXjJeOl5CXkpeUl5aXmJeal5yXnpegl6KXpJemlgEvUS9VL1kvXS9hL2UvaS9tL3EvdS95L30vgS+FL4kvjS+RL5UvmS+dL6EvpS+pL60vsS+1L7kvvS/BL8UvyS/NL9Ev1S/ZL90v4S/lL+ksAl/aX+IU7oAAAAAAAAAAAAAAAAAAAAAASN+mZqZzmhnGZmb5oZt/4u5IpwoSBQ2kso",
	"words":  "QlpoMTFBWSZTWd7SIvoAGNwZgEAAf+A2xkQAYBh0URCkBKUEpRVVKqMAAcQKKAoBVAolKlVQUoqEJKUV99cAAAAVP0aYVVQMQxFPwKZVKNAA09qqqZDBMTAlP1KqmQwTEwJqqhkYENMgUpKADQBXi7ffix/n4fxXgI/TPblSaw8omQczwHnveHvYmFa4/bJhfrwQ92cXpAZeN9hwWry3G7ldnW+zkDPud3ow/AwCeXoU7o2r2bDd4bu5uzEH2SPdO63jNTfNPCE8ecnmme5QcVg+nneZPb4Q2Uj0VI7ykUUY9pfc+5XaDd8LfOYYBu1O6J5417csnLvdn2HfUiC01VrYYutK3wCnbrQ9N32XjuVgZ32tGXlepZui8Na8otC6dzXpZpAyzrQp9KtZW+V8d0nWbA6166lQSWtWr3yXBbVy4PeeTXBQkoUfIkyeKCyWEzve8/EXPMtJaZRpe19fE4FJ248zEukp2IkQ13R6pYoeTm4d89joDXgB4DZS6s1cd1GL4zeteXx4eD8eC2SeF5bpW1hD7EfR1byGiwZCO33QSZ3sFuxeWzpYzzoK3o/c/AQ9lWnErveY8ToyszU4u2uQe65yMK13NU+np4jqODCTu4SfOXh3e7F4Gc7vbFM2+Oi3joXtY2nrg6lnEFYIJ3rU7xMXSF+ElCmkc2fdvbV7COxKBabDjlJ7T655BtoOnpJdVqnY5KcT9cWTdojo2aMm+U370xCxlcn0FXJbluX2Ca7ViRoBWzOfN/bwy+Ir8Lp3rSsTOKJ8/qyXg3FtuQcC0NN5z4X7093Mc3kd9c9s8YQD3EgqbRC4PMTkX6jPHyD+seQo+AF32pvjMUNfp6t5Kr6VXBlPLHr92dhvK6VDUYvZY33Wap5Imcni8H0yTm2xT5vyPdPX4U5TWd8NDqmSa9HtMZpXlADOO4M6Iu7ntvrjmaXzCw4hwmbvg/LMIg14VRy9KeAfDbcBjoxyAd4TN1ykHA7LqnePjREEX9hwK3YTh8h3cmdvTF5JjMOtMesx93ewk9xmUIi8c1hrObW4/D27zD69APTLj+7dp3eLKmcifnX5bi9Bu8uEvq4rhU7237e5XU3kvlxvOAxYZr7ry6o1dbigTZ7uphL9PAnPRV8kHNqXtKhV+fPwSKxYe3PAbUPJP3XHTYhLLcCHCZeGi5xTF2PBNGrbixDR3B4h72rJlJ05MnsGtXap9zxho5DKw87DZt9ycKihme1+uuDw5dlnEx7sha73AAnNZ4ib7DBhYKydUn7YirOEZ6uAeDi7d6m8PeuWHLnQ8xRMTaHUb0wYmaRuy2T2Hkenr6eLPTkeaw7TZdPiyHr1/XJk3sRzZOlsQua1LeZ5rjgE23o6EyfR+Pbtq08wZtCpmoqZfXGH2daMWjNWbHg8cjzyjQ6I8O1Y8GQdEivCYaNDvLvKvs9j25EXhS07dxCQ57RGE1ivkLczNyobQlkZtGb2Rrfe2AjHmli03XZ4DijuiMSap6jNZMXH2T2kKY9Ad80fVZah0FgLbm4ZQRgWOjvDgJjhO73t9phQwkZvkj7sZumJb6EDZrmvZ2NFbu3z1W+03199PK6YTIEYu0heok5xEjZXdyQkjwTPg48uRctfW9cnKcR3tFxfJDNF2+yc869Vdutrq16s1+EEk7rtcqWa6ZlybpBU2+Q1Yu47nOIA+nOXO95vmbpVti8OftZvrjlEDDS9CSe1wyoD2MZkAzvd3sOWnNfrYLhhEusaCrpWXQngyx8PC6ifDs000opG2WDBvrvgvYhQpxTgNTw7S30W+8gtOejCVzbomF5nedyHcM9kXmrfWgePzSXvvHuQT9uWJ+oyY+3Z3VRVxX9s4LDhOAYQScA+I+IB+OtjlWVVa4y62ZDqxGhVVczEq5C1nKq2mJrpmsaKhsMjKVbJpqqKujSbUuZqUsbVrI1iNaM0IRpTVFSqka2WUulaoZRjXKam1MrHKWoLmUaywNdWuVrEzNcjNVa5ZZGtQoGrWcqpmMtrZV1TGjjLXF1pyWu6zTRkrmdt3d3dZpRSjti2yWK1QaCtB1ls4hcnFajqLs6tOasmmctamZyrmY1ZoKrqaY6y1q2maOQ01oa2caxs6mWDrHKTMja1atuuuu7htEiw2LDWa0MczUsbW7SO2xIsRtCbdkE2NS1us5jbOc2api7LJqk6WmMVXTa1MaqDNaqOSxmnatrarNZoyoVSnNcZdplZNdVi0USqFMhRarXGl0ZS6pnNmuWs7Fc5rJNMy5qy11rOMzK0sWGtbSRaI2pYjmrWzRbTLFqukJZohYuSVa1jJFSraZpccpVk01VuMw6nRzGmuhdWkzIisOYa2tLG2Mm3Wlgmma00WK1sa3V0K6ppldCKVazkqsEtVM1lM1aGVcWUlKta0ZqYEKizKpkNFWNOpaNdOIGWOdZrq5qayq5LS2kjN2WtZYVk2g1tKxoYtLaKrGlqbWislxnFrY1tJMaSa2ZuXLZShTSyNNZVqFNmtasUVpi5WWHRshRTlZDKprWVatIzddWWKFNTOmymGypBZQ46Ji0zuKbJWzpusVq5UAc4bROrGatahjlGpkZ0kcsW6UWkC2qTWUZVlMy0TWrNY4rsRljUlrdRppbW25Jp1OMmywpQbLUw1EZG7U6TS2cthJWy2y01oNQaymuspmTozUyUqpSSdXNrGaZrrRdc0w5jcztZM1aLp1EVsCs450qcOJaVJyxlFlzIlrmdlVZghjaMTazTGbGEmUprcNQzMW2klrWj//P3rOmUqNjZNLZkVVkjMxtTG6urCNaywWmzlMVcurLtSWik1ipshy0nDMaZ2ObdmbnRpRhZplkJw25bEZWmRuZWdlZuSEzOXKqoOsKwrVuWy1JycMgrMgt20ZlJc2zja3WdHANrMGY1sWYusi1yauynUbWatTka5ZJm6c3ZW61mc7O2mSVAtTLldVShplZurLbHMys6NUtq05VakYyoWm5NMlrOzltazWS12iy2FUOJW2XWkHG1MUMxFNtZbmTHaEKba2Cs0LWuJnZ1m12smVbjTi5yrcuytbcSmbaM24zitnGUmKcTVrWpda3Mzi5tVaLXRNNllzWrrKnRWINmqkyroqYtgMxmlXEjWltGKmIKisTLk1o1raEBs1pbNrNbVliE2jsoHKKZi0i1Vsqaw51o05sEstFbrWrguYWVrXUO02M0JbNHNxpS3E7TY5m613IbV1rOsxWw5YrrK5Z2sua3Vgi0NUsatG1WXFTqxXViGUNkcyW6y2zLCy05qEWl2Al1RdZRhzp1jSt1rLbcLZmwGnMMcbLdwIJytqDsta0NoIs7W7RZNu2FrDrTIbdpRrWJOFtnBxNYTttrKydWMtgYtWWWa6oVNNGSV1M0taorNQx1GsW1pWLXUI1aQW1stmFa6mlspE6i4zGrVy2QuSy1plhtbtIptZHZdpWWcRzbty2ayBjU2yJqTZZWMkuKaslXVyWmNdq2YmlDVmV0wjrXDZLMOyzm1QmZtukKmuaO4WjLTVlTLhGqxWuksxqVFmB1U05kiyRm0a1ouwm2Bx1mskWKNrWEbQsTVsLF1Q1axkzUa1LpzZRuI2umxNV1WczXCtaZLnZaRmKdnFnEtWs6ys1XUq7l2jNZrK4VcuQ1axrWaGeJJT4gLEVdMVKlwQLiKF3lVTpJFqkh9pVTqgLSAvykpuYxjJyFBcpRcCkTguEEk7kREEJxzokIHQAUKXOFTnFJRHSXJEO5HcEhEOFxKiQ4cKEE6EnCk45CKcnFABICROVE4k6cJIhCThznESJy44kRHRFDkc5JycCCcJHIEJEcg4QJJI5I44EiLnOcO4cCBwjncjnE4EnSOIOOOccJRJQIHKJySI5BxCTpBOik5JI6AEDjlE5FyVDhUKLkdJx3SBwcciB0KdOUghEjihTnRzicjiOcklB3CE5xwkDjh3OkR05OJFHBHCOROk44nIkpEiITk5DpRw4okgFKCFOOUXC5JJwiCLiiDgCRBI6JxKdzpKi5ySVCi4RKJE534LuSKcKEhvaRF9A=",
}

func decode64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStreams(t *testing.T) {
	var d Decoder
	for name, s := range streams {
		src := decode64(t, s)
		want, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(src)))
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, 1, 1000} {
			got := make([]byte, len(want)+room)
			if n, err := d.Decode(got, append(src, "after"...)); err != nil || !bytes.Equal(got[:n], want) {
				t.Errorf("%s: %d bytes, %v", name, n, err)
			}
		}
		if len(want) > 0 {
			for _, room := range []int{0, 1, len(want) / 2, len(want) - 1} {
				if _, err := d.Decode(make([]byte, room), src); !errors.Is(err, ErrLong) {
					t.Errorf("%s, room for %d of %d: %v", name, room, len(want), err)
				}
			}
		}
		for n := range min(len(src), 300) {
			if _, err := d.Decode(make([]byte, len(want)), src[:n]); err == nil {
				t.Errorf("%s, %d of %d bytes: no error", name, n, len(src))
			}
		}
		for _, at := range []int{0, 3, 4, 10, len(src) - 1} {
			bad := bytes.Clone(src)
			bad[at] ^= 0x55
			if at == len(src)-1 {
				bad[at-1] ^= 0xff
			}
			if _, err := d.Decode(make([]byte, len(want)), bad); err == nil {
				t.Errorf("%s, byte %d changed: no error", name, at)
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	var d Decoder
	for name, s := range streams {
		src, dst := decode64(t, s), make([]byte, 400_000)
		if n := testing.AllocsPerRun(5, func() { d.Decode(dst, src) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzDecode compares with the standard library.
func FuzzDecode(f *testing.F) {
	for _, s := range streams {
		f.Add(decode64(f, s), 400_000)
		f.Add(decode64(f, s), 7)
	}
	f.Fuzz(func(t *testing.T, src []byte, room int) {
		if room < 0 || room > 1<<20 {
			return
		}
		var d Decoder
		b := bytes.Repeat([]byte{0xa5}, room+32)
		n, err := d.Decode(b[:room:room], src)
		if bytes.Count(b[room:], []byte{0xa5}) != 32 {
			t.Fatal("bytes after the end of dst were written")
		}
		if cap(d.chain) > 2*room+1000 {
			t.Fatalf("%d entries for %d bytes", cap(d.chain), room)
		}
		if err != nil {
			return
		}
		// It reads on where another stream follows; here the first one is all.
		want := make([]byte, n)
		if _, err := io.ReadFull(bzip2.NewReader(bytes.NewReader(src)), want); err != nil || !bytes.Equal(b[:n], want) {
			t.Fatalf("%d bytes, of which the standard library says %v", n, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, s := range streams {
		src, dst := decode64(b, s), make([]byte, 400_000)
		var d Decoder
		n, _ := d.Decode(dst, src)
		if n < 1000 {
			continue
		}
		b.Run("own/"+name, func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				d.Decode(dst, src)
			}
		})
		b.Run("standard/"+name, func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				io.ReadFull(bzip2.NewReader(bytes.NewReader(src)), dst[:n])
			}
		})
	}
}
