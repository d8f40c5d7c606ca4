package Gate::Example;

# One file of conf/examples in a real nginx: example($name, {file => text}, sub { requests }), and in
# it allowed() and refused(). Each location of the file must see at least one of either.

use strict;
use warnings;

use Exporter 'import';
use Gate::Test;
use IO::Socket::INET;

our @EXPORT_OK = qw(example nginx app allowed refused ask bearer values_in);

my @places = (
    [qr/127\.0\.0\.1:8080/, '127.0.0.1:%%PORT%%'],
    [qr/127\.0\.0\.1:9000/, '127.0.0.1:%%PORT_app%%'],
    [qr{/etc/nginx/gate/}, '%%DIR%%/'],
    [qr{/var/log/nginx/}, '%%DIR%%/'],
);
my ($t, $app, %tried);

sub nginx { return $t; }
sub app { return $app; }

# Starts one example with its files, runs its requests, and stops it. servers->(test) starts before it
# what it connects to, and returns where that stands: [qr/as in the file/, 'here'], ..
sub example {
    my ($name, $files, $requests, $servers) = @_;
    subtest $name => sub {
        $t = Gate::Test->new;
        $t->write_file($_, $files->{$_}) for sort keys %$files;
        my $text = slurp(root_dir() . "/conf/examples/$name/nginx.conf");
        my @found = $servers ? $servers->($t) : ();
        $t->write_raw_config($text, replace => [@found, @places]);
        my ($status, $output) = $t->nginx_t;
        is $status, 0, 'nginx -t passes' or diag $output;
        unlike $output, qr/\[warn\]/, 'without a warning';
        return if $status;
        $t->start;
        $app = $t->upstream('app');
        %tried = ();
        $requests->();
        for my $location ($text =~ /^\s*location\s+([^{]+?)\s*\{/mg) {
            next if $text =~ /location\s+\Q$location\E\s*\{\s*internal;/;
            ok $tried{$location}{allowed}, "a request was let in at $location";
            ok $tried{$location}{refused}, "a request was refused at $location";
        }
        ok $t->stop, 'stops gracefully';
        $app->stop;
    };
    return;
}

# allowed(location, what, request): the application answers; what it got is returned.
sub allowed {
    my ($location, $what, @request) = @_;
    $tried{$location}{allowed} = 1;
    $app->clear;
    my $response = ask(@request);
    is $response->status, 200, "$location: $what" or diag $t->log_since_mark;
    my @seen = $app->requests;
    return wantarray ? @seen : $seen[-1] || {};
}

# refused(location, status, reason, what, request): the application sees nothing. nginx writes its
# logs when the answer is out, hence the wait.
sub refused {
    my ($location, $status, $reason, $what, @request) = @_;
    $tried{$location}{refused} = 1;
    $app->clear;
    $t->mark;
    my $response = ask(@request);
    is $response->status, $status, "$location: $what: $status" or diag $t->log_since_mark;
    is $app->hits, 0, "$location: $what: nothing reaches the application";
    ok wait_for(sub { $t->log_since_mark =~ / reason=$reason / }), "$location: $what: $reason"
        or diag $t->log_since_mark if $reason;
    return $response;
}

# Refusals of one address for one reason are summarised: each request comes from an address of its
# own, so that its line can be seen.
my $host = 2;

sub ask {
    my ($method, $uri, %opt) = @_;
    my $from = delete $opt{from} // '127.0.1.' . (++$host % 250 + 1);
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $t->port, Proto => 'tcp',
        LocalAddr => $from) or die "connect: $!";
    return http_request($method, $uri, socket => $socket, %opt);
}

# A request's headers with a new token.
sub bearer { return (headers => ['Authorization', 'Bearer ' . mint(@_)]); }

sub values_in { return join '|', Gate::Upstream::values_of(@_); }

1;
